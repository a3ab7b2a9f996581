import { askRay, type RayEndpoint } from './ray-api.ts';

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
