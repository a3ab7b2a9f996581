import { join } from 'node:path';
import type { Host } from './host.ts';

/** Folder of a host that keeps what judges showed in their audits. */
export const judgeAuditFolder = ({ home }: Pick<Host, 'home'>): string => join(home, 'judge-audits');
