/** What the lab's agent uses of iotagent-node-lib, which brings no types. */
declare module 'iotagent-node-lib' {
  type Done<T = unknown> = (error: { name?: string; message?: string; code?: number } | null, value?: T) => void;

  export interface Device {
    name: string;
    type: string;
  }

  export interface Measure {
    name: string;
    type: string;
    value: unknown;
  }

  export function activate(config: Record<string, unknown>, done: Done): void;
  /** The device of that id, made from the configuration of its key where there is none. */
  export function retrieveDevice(id: string, apikey: string, done: Done<Device>): void;
  export function update(name: string, type: string, apikey: string, measures: Measure[], device: Device, done: Done): void;
}
