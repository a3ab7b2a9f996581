import { Client, Connection, ServiceError } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { lensmithHome } from '../activities/host.ts';
import { LensmithError } from '../domain/errors.ts';
import { readStackState } from '../infra/local/stack-state.ts';

const connectMs = 10_000;

/** The environment of a command: what the shell says, and below it what the local stack of the home says. */
export const stackEnvironment = async (env: NodeJS.ProcessEnv = process.env): Promise<NodeJS.ProcessEnv> => {
  const state = await readStackState(lensmithHome(env));
  return state ? { ...state.environment, ...env } : env;
};

/**
 * Connects to the Temporal that the environment names, or to that of the local stack.
 *
 * @throws LensmithError `infrastructure` where none answers.
 */
const connectClient = async (): Promise<Client> => {
  const env = await stackEnvironment();
  const { connectionOptions, namespace } = loadClientConnectConfig({
    overrideEnvVars: Object.fromEntries(
      Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
    ),
  });
  const address = connectionOptions.address ?? 'localhost:7233';
  try {
    const connection = await Connection.connect({ ...connectionOptions, connectTimeout: connectMs });
    return new Client({ connection, namespace: namespace ?? 'default' });
  } catch (cause) {
    throw new LensmithError(
      'infrastructure',
      `no Temporal server answers at ${address}; start the local stack with "lensmith up", or set TEMPORAL_ADDRESS`,
      { where: address, cause },
    );
  }
};

/** What Temporal refuses, or does not answer although it is asked again and again, with its own words. */
const readable = (error: unknown): unknown => {
  if (!(error instanceof ServiceError)) return error;
  const why = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return new LensmithError('infrastructure', `${error.message}${why}`, { where: 'Temporal', cause: error });
};

/**
 * Works with a client and closes its connection, however the work ends.
 *
 * @throws LensmithError as `connectClient`, and `infrastructure` where the server fails in the middle of the work.
 */
export const withClient = async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
  const client = await connectClient();
  try {
    return await work(client);
  } catch (error) {
    throw readable(error);
  } finally {
    await client.connection.close();
  }
};
