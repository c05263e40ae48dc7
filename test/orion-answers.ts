/**
 * What Orion answers on the two paths that are probed, each with where it was read (telefonicaid/fiware-orion, at the tag named).
 * Values only. Bodies are as Orion writes them: OrionError::toJson escapes ( ) ' " < > = ; as HTML does (src/lib/common/string.cpp).
 */

export interface OrionAnswer {
  what: string;
  path: '/version' | '/v2/entities?limit=1';
  status: number;
  body: string;
  source: string;
}

export const VERSION_4: OrionAnswer = {
  what: '/version of 4.x, with or without a database',
  path: '/version',
  status: 200,
  body: `{
"orion" : {
  "version" : "4.1.0",
  "uptime" : "0 d, 0 h, 12 m, 3 s",
  "git_hash" : "0123456789abcdef0123456789abcdef01234567",
  "compile_time" : "Wed Oct 2 10:00:00 UTC 2024",
  "compiled_by" : "root",
  "compiled_in" : "buildkitsandbox",
  "release_date" : "Wed Oct 2 10:00:00 UTC 2024",
  "machine" : "x86_64",
  "doc" : "https://fiware-orion.rtfd.io/en/4.1.0/"
}
}`,
  source: '4.7.0 test/functionalTest/cases/0000_version_operation/version_via_rest.test, src/lib/serviceRoutinesV2/versionTreat.cpp',
};

export const NO_ENTITIES: OrionAnswer = {
  what: 'an empty list: the database answers',
  path: '/v2/entities?limit=1',
  status: 200,
  body: '[]',
  source: '4.7.0 docker/Dockerfile: its HEALTHCHECK asks the same path',
};

export const NO_PRIMARY_4: OrionAnswer = {
  what: 'a query without a primary, 3.0 to 4.7',
  path: '/v2/entities?limit=1',
  status: 500,
  body: '{"error":"InternalServerError","description":"Error at querying MongoDB: No suitable servers found &#40;`serverSelectionTryOnce` set&#41;: [connection refused calling ismaster on &#39;10.0.3.11:27017&#39;]"}',
  source: "3.0.0 to 4.7.0 DBCursor::next (src/lib/mongoDriver/DBCursor.cpp), OrionError.cpp; the driver's words as in issue #3806",
};

export const NO_PRIMARY_COUNT: OrionAnswer = {
  what: 'the same where Orion counts first, 3.0 to 4.7',
  path: '/v2/entities?limit=1',
  status: 500,
  body: '{"error":"InternalServerError","description":"Database Error &#40;collection: orion.entities - count_documents: {  } - exception: No suitable servers found&#41;"}',
  source: '4.7.0 collectionRangedQuery (src/lib/mongoDriver/connectionOperations.cpp); doc/manuals/admin/diagnosis.md',
};

export const NO_PRIMARY_2: OrionAnswer = {
  what: 'a query without a primary, 2.5 and 2.6',
  path: '/v2/entities?limit=1',
  status: 500,
  body: '{"error":"InternalServerError","description":"Database Error &#40;collection: orion.entities - query&#40;&#41;: {} - exception: ReplicaSetMonitor no master found for set: orion_rs&#41;"}',
  source: '2.5.0 src/lib/mongoBackend/connectionOperations.cpp; the exception as in issue #3717',
};

export const BLIND_2: OrionAnswer = {
  what: 'a query that failed late, before 3.0: nobody can tell it from an empty database',
  path: '/v2/entities?limit=1',
  status: 200,
  body: '[]',
  source: 'issue #3460, mended by pull request #3818 (3.0.0)',
};

export const ORION_ANSWERS: readonly OrionAnswer[] = [VERSION_4, NO_ENTITIES, NO_PRIMARY_4, NO_PRIMARY_COUNT, NO_PRIMARY_2, BLIND_2];
