/** The lab's tests: one lab for the whole run, so one worker; `npm run lab:test`. */
module.exports = {
  rootDir: '..',
  testMatch: ['<rootDir>/lab/test/**/*.test.ts'],
  transform: {
    '^.+\\.tsx?$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } }],
  },
  globalSetup: '<rootDir>/lab/test/lab-setup.ts',
  globalTeardown: '<rootDir>/lab/test/lab-teardown.ts',
  testTimeout: 240_000,
  maxWorkers: 1,
  cacheDirectory: '<rootDir>/node_modules/.cache/jest-lab',
};
