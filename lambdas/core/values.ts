/** Values that messages and configurations are made of: how each may be written. Knows no message. */
import * as z from 'zod';
import { CLUSTER_NAME, CLUSTER_NAME_RULE, SLOT_NAME } from './names';

export const cluster = z.string().regex(CLUSTER_NAME, `expected ${CLUSTER_NAME_RULE}`);
export const slot = z.string().regex(SLOT_NAME, 'expected a slot such as ctx2');
export const host = z.string().regex(/^\d{1,3}(\.\d{1,3}){3}:\d{1,5}$/, 'expected address:port');
export const ip = z.string().regex(/^\d{1,3}(\.\d{1,3}){3}$/, 'expected an IPv4 address');
export const replicaSet = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,31}$/);
