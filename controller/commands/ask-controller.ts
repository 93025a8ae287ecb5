// Asks the controller that leads: at the address that was given, or through a tunnel of the API
// server's where none was. Behind a Service there are two, and each connection comes to one of
// them, so one that stands by is no reason to give up at once.

import { readAccess, readToken, readTrust } from '#agent/coordinator/link-access.ts';
import type { Clock } from '#engine/base/clock.ts';
import { EngineError, isEngineError } from '#engine/base/errors.ts';
import { HttpKubeClient } from '#kube/http-client.ts';
import { connect, type ConnectOptions } from '#kube/kube-config.ts';
import { forwardPort, type Tunnel } from '#kube/port-forward.ts';
import type { DialTarget } from '#proto/dial.ts';
import { askOverview } from '#proto/overview-client.ts';
import type { ClusterOverview } from '#proto/overview-messages.ts';
import type { CommandSettings } from './command-settings.ts';
import { findController, type FindParts, newToken, trustOf } from './find-controller.ts';

/** By then one of two has been asked, but for one time in two hundred. */
const ATTEMPTS_MAX = 8;
const PAUSE_MS = 200;

export interface AskParts {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What was given; the rest is looked for in the cluster. */
export interface GivenAccess {
  readonly caFile?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly serverName?: string | undefined;
}

/** @throws COORDINATOR_…; see askOverview, readAccess and askThroughTunnel */
export async function askController(
  settings: CommandSettings,
  parts: AskParts,
): Promise<ClusterOverview> {
  const { controller, controllerPlainText, controllerServerName: serverName } = settings;
  const { controllerCaFile: caFile, controllerTokenFile, controllerTokenGiven } = settings;
  if (controller === undefined) {
    const { connectOptions, namespace } = settings;
    const tokenFile = controllerTokenGiven ? controllerTokenFile : undefined;
    const connection = await connect(connectOptions);
    try {
      const kube = new HttpKubeClient(connection, { clock: parts.clock });
      const found = { kube, connection, namespace, connectOptions, ...parts };
      return await askThroughTunnel(found, { caFile, tokenFile, serverName });
    } finally {
      connection.close();
    }
  }
  const access = await readAccess({
    caPath: controllerPlainText ? undefined : caFile,
    tokenPath: controllerTokenFile,
  });
  return await askPatiently({ ...controller, ...access, serverName }, parts);
}

export interface TunnelParts extends FindParts, AskParts {
  readonly connectOptions: ConnectOptions;
}

/**
 * Who may do it: `get` and `list` pods, `create` pods/portforward; where no files are given also
 * `get` the Secret of the certificate, and `create` serviceaccounts/token.
 * @throws COORDINATOR_UNAVAILABLE where there is no controller, KUBE_FORBIDDEN, …; see askOverview
 */
export async function askThroughTunnel(
  parts: TunnelParts,
  given: GivenAccess = {},
): Promise<ClusterOverview> {
  const { namespace, connectOptions, signal } = parts;
  const found = await findController(parts);
  const { pod, port } = found;
  const { tokenFile, caFile } = given;
  const token = tokenFile === undefined ? await newToken(parts, found) : await readToken(tokenFile);
  const trust =
    caFile === undefined || found.isPlainText
      ? await trustOf(parts, found)
      : await readTrust(caFile);
  await using tunnel = await forwardPort(connectOptions, { namespace, pod, port }, signal);
  const serverName = given.serverName ?? found.serverName;
  const target = { host: '127.0.0.1', port: tunnel.port, trust, token, serverName };
  try {
    return await askPatiently(target, parts);
  } catch (error) {
    throw withTunnel(error, tunnel, `${namespace}/${pod}`);
  }
}

/** What the tunnel says is nearer to the cause than that a connection ended. */
function withTunnel(error: unknown, { failure }: Tunnel, pod: string): unknown {
  if (failure === undefined || !isEngineError(error, 'COORDINATOR_UNAVAILABLE')) return error;
  const text = `the tunnel to pod ${pod} does not come through: ${failure}`;
  return new EngineError('COORDINATOR_UNAVAILABLE', text, { cause: error });
}

async function askPatiently(
  target: DialTarget & { readonly token: string },
  { clock, signal }: AskParts,
): Promise<ClusterOverview> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await askOverview({ ...target, clock, signal });
    } catch (error) {
      if (attempt >= ATTEMPTS_MAX || !isEngineError(error, 'COORDINATOR_STANDBY')) throw error;
    }
    await clock.sleep(PAUSE_MS, signal);
  }
}
