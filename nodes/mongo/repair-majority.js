/**
 * Forces the configuration of a replica set that has lost its majority down to its survivors: `run(db, payload)` answers one value.
 * Run by mongosh on one survivor after a person has confirmed it; the simulation loads the same file. Never acts while a primary or a
 * living majority is in sight, never adds a member, never gives a vote, never wipes data, never tries twice.
 * Source: MongoDB's manual, "Reconfigure a Replica Set with Unavailable Members". Plain JavaScript without imports: mongosh runs it.
 *
 * Answers {ok:true, did, setVersion} or {ok:false, outcome, code, codeName, error}; outcome is stale, retry, refused or failed.
 */
(() => {
  const MAX_TIME_MS = 20000;
  const PRIMARY = 1;
  const SECONDARY = 2;

  function refuse(outcome, words, cause = {}) {
    return { ok: false, outcome, code: cause.code === undefined ? null : cause.code, codeName: cause.codeName || null, error: words };
  }

  function failure(what, error) {
    const name = error.code === undefined ? '' : `${error.codeName} (${error.code}): `;
    return refuse('failed', `${what}: ${name}${error.errmsg || error.message || String(error)}`, error);
  }

  /** Runs a command; its failure comes back as a value, whether the shell throws it or not. */
  function ask(db, command) {
    try {
      const reply = db.adminCommand(command);
      return reply.ok === 1 ? { ok: true, reply } : { ok: false, error: reply };
    } catch (error) {
      return { ok: false, error };
    }
  }

  const votes = (member) => member.votes !== 0;

  /** Term, seconds and counter of an optime, in the order they compare; null where a member has shown none. */
  function positionOf(member) {
    const { ts, t } = member.optime || {};
    if (ts === undefined || ts === null) return null;
    const [seconds, counter] = typeof ts === 'object' ? [ts.t ?? ts.high ?? 0, ts.i ?? ts.low ?? 0] : [ts, 0];
    return [Number(t), Number(seconds), Number(counter)];
  }

  function isNewer(a, b) {
    const at = a.findIndex((value, i) => value !== b[i]);
    return at >= 0 && a[at] > b[at];
  }

  const lives = (member) => member !== undefined && member.health === 1 && (member.state === PRIMARY || member.state === SECONDARY);

  /** Why the survivors named are not the ones to go on with, by the configuration alone; undefined when they may be. */
  function problemOfSurvivors(config, payload) {
    const { replicaSet, survivors, expect } = payload;
    if (config._id !== replicaSet) return refuse('refused', `the set is called ${config._id}, expected ${replicaSet}`);
    if (config.version !== expect.setVersion)
      return refuse('stale', `the configuration has version ${config.version}, ${expect.setVersion} was confirmed: look again`);
    const strangers = survivors.filter((host) => !config.members.some((member) => member.host === host));
    if (survivors.length === 0 || strangers.length > 0)
      return refuse('refused', `survivors: expected members of ${replicaSet}; got ${strangers.join(', ') || 'none'}`);
    if (!config.members.some((member) => survivors.includes(member.host) && votes(member)))
      return refuse('refused', `none of ${survivors.join(', ')} votes: a member without a vote may lack most of the data`);
    return undefined;
  }

  /** Why nothing may be forced now, by what this member sees of the others; undefined when it may. */
  function barrier(status, config, survivors) {
    const seen = (host) => status.members.find((member) => member.name === host);
    const primary = status.members.find((member) => member.state === PRIMARY && member.health === 1);
    if (primary) return refuse('refused', `${primary.name} is the primary: nothing is lost, nothing is forced`);
    const voters = config.members.filter(votes);
    const living = voters.filter((member) => seen(member.host)?.health === 1);
    const needed = Math.floor(voters.length / 2) + 1;
    if (living.length >= needed)
      return refuse(
        'refused',
        `${living.length} of ${voters.length} voters answer, ${needed} needed: a majority lives and elects a primary`,
      );
    const left = living.find((member) => !survivors.includes(member.host));
    if (left) return refuse('stale', `${left.host} answers too and is not among the survivors: look again`);
    const self = status.members.find((member) => member.self);
    if (!self || !survivors.includes(self.name))
      return refuse(
        'refused',
        `this member, ${self ? self.name : 'unknown to the set'}, is not among the survivors ${survivors.join(', ')}`,
      );
    const silent = survivors.find((host) => !lives(seen(host)));
    if (silent) return refuse('stale', `${silent} is ${seen(silent)?.stateStr ?? 'not seen'}, expected SECONDARY`);
    const own = positionOf(self);
    if (!own) return refuse('refused', `${self.name} shows no optime: it is not known what it holds`);
    const ahead = survivors.map(seen).find((member) => {
      const position = positionOf(member);
      return position !== null && isNewer(position, own);
    });
    return ahead && refuse('stale', `${ahead.name} holds newer writes than ${self.name}: force there instead`);
  }

  function isOnlySurvivors(config, survivors) {
    return config.members.length === survivors.length && config.members.every((member) => survivors.includes(member.host));
  }

  function repair(db, payload) {
    const { survivors } = payload;
    const before = ask(db, { replSetGetConfig: 1 });
    if (!before.ok) return failure('replSetGetConfig', before.error);
    const { config } = before.reply;
    if (config._id === payload.replicaSet && isOnlySurvivors(config, survivors))
      return { ok: true, did: 'already', setVersion: config.version };
    const problem = problemOfSurvivors(config, payload);
    if (problem) return problem;
    const status = ask(db, { replSetGetStatus: 1 });
    if (!status.ok) return failure('replSetGetStatus', status.error);
    const stop = barrier(status.reply, config, survivors);
    if (stop) return stop;
    const members = config.members.filter((member) => survivors.includes(member.host));
    const next = { ...config, version: config.version + 1, members };
    const acted = ask(db, { replSetReconfig: next, force: true, maxTimeMS: MAX_TIME_MS });
    // A failed reconfig may be installed all the same: what is read back decides, not the answer.
    const after = ask(db, { replSetGetConfig: 1 });
    if (after.ok && isOnlySurvivors(after.reply.config, survivors))
      return { ok: true, did: 'forced', setVersion: after.reply.config.version };
    return acted.ok ? refuse('failed', 'it was accepted, but could not be read back') : failure('replSetReconfig', acted.error);
  }

  /** Every end is a value, never an exception. After `payload.notAfterMs` nothing is done any more. */
  function run(db, payload, nowMs = Date.now()) {
    try {
      if (nowMs > (payload.notAfterMs ?? nowMs)) return refuse('stale', 'it came too late');
      return repair(db, payload);
    } catch (error) {
      return failure('repair-majority', error);
    }
  }

  if (typeof process !== 'undefined' && process.env.FIWARE_HA_PAYLOAD && typeof db !== 'undefined') {
    print(JSON.stringify(run(db, JSON.parse(Buffer.from(process.env.FIWARE_HA_PAYLOAD, 'base64').toString()))));
  } else if (typeof module !== 'undefined') {
    module.exports = { run };
  }
})();
