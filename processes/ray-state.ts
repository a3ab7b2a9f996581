import { z } from 'zod';
import { askRay, type RayEndpoint, unexpectedAnswer } from './ray-api.ts';

/** What the dashboard of Ray can say of a cluster that seems to stand still, by name. */
const views = {
  nodes: '/nodes?view=summary',
  cluster: '/api/cluster_status',
  actors: '/api/v0/actors?limit=1000&detail=1',
  tasks: '/api/v0/tasks?limit=1000&detail=1',
  'placement-groups': '/api/v0/placement_groups?limit=1000&detail=1',
} as const;
export type RayView = keyof typeof views;

export const rayViews = Object.keys(views) as RayView[];

/**
 * One view of the cluster as its dashboard answers, in JSON.
 *
 * @throws LensmithError `ray_head` where nothing answers.
 */
export const readRayView = async (ray: RayEndpoint, view: RayView): Promise<string> => {
  const { status, text } = await askRay(ray, views[view]);
  return status === 200 ? text : `Ray answered ${status}: ${text}`;
};

const nodesSchema = z.looseObject({
  data: z.looseObject({
    summary: z.array(z.looseObject({ raylet: z.looseObject({ state: z.string().optional() }).optional() })),
  }),
});

/**
 * Nodes of the cluster that live, its head among them.
 *
 * @throws LensmithError `ray_head` where nothing answers.
 */
export const countRayNodes = async (ray: RayEndpoint): Promise<number> => {
  const answer = await askRay(ray, views.nodes);
  if (answer.status !== 200) throw unexpectedAnswer(ray, views.nodes, answer);
  const { data } = nodesSchema.parse(JSON.parse(answer.text));
  return data.summary.filter(({ raylet }) => raylet?.state === 'ALIVE').length;
};
