/** CPU time this process has used. Figures count it instead of wall time, so that other work on the machine does not decide them. */

/** Milliseconds, user and system. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
