/** Specs in Parameter Store, as the spec-store port. Keeps text, checks nothing in it. */
import {
  DeleteParameterCommand,
  GetParameterCommand,
  PutParameterCommand,
  paginateGetParametersByPath,
  type SSMClient,
} from '@aws-sdk/client-ssm';
import { PortError, type SpecStore } from '../app/ports';
import { CLUSTER_NAME, SPEC_PATH_ROOT, specParameterName } from '../core/names';
import { callAws, callAwsUnless } from './port-errors';

/** Most that one page holds (SSM). */
const PAGE_SIZE = 10;

/** Name of the cluster in a parameter's path; undefined for a path that is no spec's, or names what can't be a cluster. */
export function clusterOfParameter(name: string): string | undefined {
  const cluster = /^([^/]+)\/spec$/.exec(name.startsWith(SPEC_PATH_ROOT) ? name.slice(SPEC_PATH_ROOT.length) : '')?.[1];
  return cluster !== undefined && CLUSTER_NAME.test(cluster) ? cluster : undefined;
}

/**
 * The spec-store port. Parameter Store has no conditional write: `replace` reads, compares and writes, and the version
 * the write returns tells whether somebody wrote in between; then it throws conflict, and the later write stands.
 */
export function makeSpecs(client: SSMClient): SpecStore {
  const get = async (cluster: string) => {
    const Name = specParameterName(cluster);
    const found = await callAwsUnless('notFound', null, `GetParameter ${Name}`, () => client.send(new GetParameterCommand({ Name })));
    return found?.Parameter?.Value === undefined ? null : { text: found.Parameter.Value, version: found.Parameter.Version ?? 1 };
  };
  const put = (cluster: string, Value: string, Overwrite: boolean) =>
    callAws(`PutParameter ${specParameterName(cluster)}`, () =>
      client.send(
        new PutParameterCommand({ Name: specParameterName(cluster), Value, Type: 'String', Tier: 'Intelligent-Tiering', Overwrite }),
      ),
    );
  return {
    listClusters: () =>
      callAws('GetParametersByPath', async () => {
        const names: string[] = [];
        for await (const page of paginateGetParametersByPath(
          { client, pageSize: PAGE_SIZE },
          { Path: SPEC_PATH_ROOT.slice(0, -1), Recursive: true },
        ))
          names.push(...(page.Parameters ?? []).flatMap(({ Name }) => clusterOfParameter(Name ?? '') ?? []));
        return names;
      }),
    get,
    create: async (cluster, text) => {
      await put(cluster, text, false);
    },
    replace: async (cluster, text, expectedVersion) => {
      const stored = await get(cluster);
      const conflict = () => new PortError('conflict', `the spec of ${cluster} is no longer at version ${expectedVersion}`);
      if (stored?.version !== expectedVersion) throw conflict();
      const { Version } = await put(cluster, text, true);
      if (Version !== undefined && Version !== expectedVersion + 1) throw conflict();
    },
    delete: async (cluster) => {
      const Name = specParameterName(cluster);
      await callAwsUnless('notFound', undefined, `DeleteParameter ${Name}`, () => client.send(new DeleteParameterCommand({ Name })));
    },
  };
}
