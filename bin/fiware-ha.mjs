#!/usr/bin/env node
// The `fiware-ha` of `npx fiware-ha`: lets node run TypeScript, then starts bin/fiware-ha.ts.
import 'tsx';

await import('./fiware-ha.ts');
