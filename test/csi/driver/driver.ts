// A driver of the Container Storage Interface for tests, for one node that is also where volumes
// are: its services on one socket, and on another the registration that a kubelet asks for, which
// else the node-driver-registrar does.

import { join } from 'node:path';
import { controllerService } from './controller-service.ts';
import { LoopDevices } from './loop-devices.ts';
import { nodeService } from './node-service.ts';
import { serveOn, type Service } from './rpc-server.ts';
import { VolumeStore } from './volume-store.ts';

export const DRIVER_NAME = 'csi.test.local';
const VERSION = '1.0.0';
const KUBELET = '/var/lib/kubelet';
/** csi.proto, PluginCapability.Service. */
const SERVICES = ['CONTROLLER_SERVICE', 'VOLUME_ACCESSIBILITY_CONSTRAINTS'] as const;

export interface Driver extends AsyncDisposable {
  readonly socket: string;
  readonly store: VolumeStore;
}

/** @param home where it keeps volumes; resolves when it can be asked */
export async function startDriver(home: string): Promise<Driver> {
  const store = new VolumeStore(home);
  const devices = new LoopDevices();
  const socket = join(KUBELET, 'plugins', DRIVER_NAME, 'csi.sock');
  const services = [identity(), controllerService(store, devices), nodeService(store, devices)];
  const stack = new AsyncDisposableStack();
  stack.use(await serveOn(socket, services));
  // Last: the kubelet asks the driver as soon as it sees this one.
  const registration = join(KUBELET, 'plugins_registry', `${DRIVER_NAME}-reg.sock`);
  stack.use(await serveOn(registration, [registrationOf(socket)]));
  return { socket, store, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function identity(): Service {
  return {
    file: 'csi.proto',
    name: 'csi.v1.Identity',
    methods: {
      getPluginInfo: () => ({ name: DRIVER_NAME, vendorVersion: VERSION }),
      getPluginCapabilities: () => ({
        capabilities: SERVICES.map(type => ({ service: { type } })),
      }),
      probe: () => ({ ready: { value: true } }),
    },
  };
}

function registrationOf(endpoint: string): Service {
  return {
    file: 'pluginregistration.proto',
    name: 'pluginregistration.Registration',
    methods: {
      getInfo: () => ({
        type: 'CSIPlugin',
        name: DRIVER_NAME,
        endpoint,
        supportedVersions: [VERSION],
      }),
      notifyRegistrationStatus: () => ({}),
    },
  };
}
