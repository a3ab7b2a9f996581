import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';

/**
 * Connects as Temporal's environment configuration says: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`,
 * `TEMPORAL_TLS_…`, or a profile of its `temporal.toml`.
 */
export const connectWorker = async (): Promise<{ connection: NativeConnection; namespace: string }> => {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return { connection: await NativeConnection.connect(connectionOptions), namespace: namespace ?? 'default' };
};
