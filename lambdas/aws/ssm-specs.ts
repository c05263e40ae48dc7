/** Specs in Parameter Store, as the spec-store port. Keeps text, checks nothing in it. */
import {
  DeleteParameterCommand,
  GetParameterCommand,
  PutParameterCommand,
  paginateGetParametersByPath,
  type SSMClient,
} from '@aws-sdk/client-ssm';
import { PortError, type SpecStore } from '../app/ports';
import { SPEC_PATH_ROOT, specParameterName } from '../core/names';
import { callAws, toPortError } from './port-errors';

/** Name of the cluster in a parameter's path; undefined for a path that is no spec's. */
export function clusterOfParameter(name: string): string | undefined {
  return /^([^/]+)\/spec$/.exec(name.startsWith(SPEC_PATH_ROOT) ? name.slice(SPEC_PATH_ROOT.length) : '')?.[1];
}

/**
 * The spec-store port. Parameter Store has no conditional write: `replace` reads, compares and writes, and the version
 * the write returns tells whether somebody wrote in between; then it throws conflict, and the later write stands.
 */
export function makeSpecs(client: SSMClient): SpecStore {
  const get = async (cluster: string) => {
    try {
      const { Parameter } = await client.send(new GetParameterCommand({ Name: specParameterName(cluster) }));
      return Parameter?.Value === undefined ? null : { text: Parameter.Value, version: Parameter.Version ?? 1 };
    } catch (error) {
      const mapped = toPortError(error, `GetParameter ${specParameterName(cluster)}`);
      if (mapped.code === 'notFound') return null;
      throw mapped;
    }
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
          { client, pageSize: 10 },
          { Path: SPEC_PATH_ROOT.slice(0, -1), Recursive: true },
        ))
          for (const { Name } of page.Parameters ?? []) names.push(...[clusterOfParameter(Name ?? '')].flatMap((name) => name ?? []));
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
      const what = `DeleteParameter ${specParameterName(cluster)}`;
      try {
        await callAws(what, () => client.send(new DeleteParameterCommand({ Name: specParameterName(cluster) })));
      } catch (error) {
        if (toPortError(error, what).code !== 'notFound') throw error;
      }
    },
  };
}
