import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { AgentMessage as _stevedore_v1_AgentMessage, AgentMessage__Output as _stevedore_v1_AgentMessage__Output } from './stevedore/v1/AgentMessage.ts';
import type { BandwidthShares as _stevedore_v1_BandwidthShares, BandwidthShares__Output as _stevedore_v1_BandwidthShares__Output } from './stevedore/v1/BandwidthShares.ts';
import type { ClusterOverview as _stevedore_v1_ClusterOverview, ClusterOverview__Output as _stevedore_v1_ClusterOverview__Output } from './stevedore/v1/ClusterOverview.ts';
import type { ControllerMessage as _stevedore_v1_ControllerMessage, ControllerMessage__Output as _stevedore_v1_ControllerMessage__Output } from './stevedore/v1/ControllerMessage.ts';
import type { CoordinatorClient as _stevedore_v1_CoordinatorClient, CoordinatorDefinition as _stevedore_v1_CoordinatorDefinition } from './stevedore/v1/Coordinator.ts';
import type { Drain as _stevedore_v1_Drain, Drain__Output as _stevedore_v1_Drain__Output } from './stevedore/v1/Drain.ts';
import type { FailedMove as _stevedore_v1_FailedMove, FailedMove__Output as _stevedore_v1_FailedMove__Output } from './stevedore/v1/FailedMove.ts';
import type { GrantSerial as _stevedore_v1_GrantSerial, GrantSerial__Output as _stevedore_v1_GrantSerial__Output } from './stevedore/v1/GrantSerial.ts';
import type { Heartbeat as _stevedore_v1_Heartbeat, Heartbeat__Output as _stevedore_v1_Heartbeat__Output } from './stevedore/v1/Heartbeat.ts';
import type { Hello as _stevedore_v1_Hello, Hello__Output as _stevedore_v1_Hello__Output } from './stevedore/v1/Hello.ts';
import type { MoveProgress as _stevedore_v1_MoveProgress, MoveProgress__Output as _stevedore_v1_MoveProgress__Output } from './stevedore/v1/MoveProgress.ts';
import type { NodeOverview as _stevedore_v1_NodeOverview, NodeOverview__Output as _stevedore_v1_NodeOverview__Output } from './stevedore/v1/NodeOverview.ts';
import type { OverviewRequest as _stevedore_v1_OverviewRequest, OverviewRequest__Output as _stevedore_v1_OverviewRequest__Output } from './stevedore/v1/OverviewRequest.ts';
import type { PreCopies as _stevedore_v1_PreCopies, PreCopies__Output as _stevedore_v1_PreCopies__Output } from './stevedore/v1/PreCopies.ts';
import type { PreCopy as _stevedore_v1_PreCopy, PreCopy__Output as _stevedore_v1_PreCopy__Output } from './stevedore/v1/PreCopy.ts';
import type { RateOverview as _stevedore_v1_RateOverview, RateOverview__Output as _stevedore_v1_RateOverview__Output } from './stevedore/v1/RateOverview.ts';
import type { Revocation as _stevedore_v1_Revocation, Revocation__Output as _stevedore_v1_Revocation__Output } from './stevedore/v1/Revocation.ts';
import type { RunningMove as _stevedore_v1_RunningMove, RunningMove__Output as _stevedore_v1_RunningMove__Output } from './stevedore/v1/RunningMove.ts';
import type { Share as _stevedore_v1_Share, Share__Output as _stevedore_v1_Share__Output } from './stevedore/v1/Share.ts';
import type { SharesInForce as _stevedore_v1_SharesInForce, SharesInForce__Output as _stevedore_v1_SharesInForce__Output } from './stevedore/v1/SharesInForce.ts';
import type { SlotAnswer as _stevedore_v1_SlotAnswer, SlotAnswer__Output as _stevedore_v1_SlotAnswer__Output } from './stevedore/v1/SlotAnswer.ts';
import type { SlotGrant as _stevedore_v1_SlotGrant, SlotGrant__Output as _stevedore_v1_SlotGrant__Output } from './stevedore/v1/SlotGrant.ts';
import type { SlotHold as _stevedore_v1_SlotHold, SlotHold__Output as _stevedore_v1_SlotHold__Output } from './stevedore/v1/SlotHold.ts';
import type { SlotReport as _stevedore_v1_SlotReport, SlotReport__Output as _stevedore_v1_SlotReport__Output } from './stevedore/v1/SlotReport.ts';
import type { SlotRequest as _stevedore_v1_SlotRequest, SlotRequest__Output as _stevedore_v1_SlotRequest__Output } from './stevedore/v1/SlotRequest.ts';
import type { SlotVolume as _stevedore_v1_SlotVolume, SlotVolume__Output as _stevedore_v1_SlotVolume__Output } from './stevedore/v1/SlotVolume.ts';
import type { SlotWait as _stevedore_v1_SlotWait, SlotWait__Output as _stevedore_v1_SlotWait__Output } from './stevedore/v1/SlotWait.ts';
import type { WaitingMove as _stevedore_v1_WaitingMove, WaitingMove__Output as _stevedore_v1_WaitingMove__Output } from './stevedore/v1/WaitingMove.ts';
import type { Welcome as _stevedore_v1_Welcome, Welcome__Output as _stevedore_v1_Welcome__Output } from './stevedore/v1/Welcome.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  stevedore: {
    v1: {
      AgentMessage: MessageTypeDefinition<_stevedore_v1_AgentMessage, _stevedore_v1_AgentMessage__Output>
      BandwidthShares: MessageTypeDefinition<_stevedore_v1_BandwidthShares, _stevedore_v1_BandwidthShares__Output>
      ClusterOverview: MessageTypeDefinition<_stevedore_v1_ClusterOverview, _stevedore_v1_ClusterOverview__Output>
      ControllerMessage: MessageTypeDefinition<_stevedore_v1_ControllerMessage, _stevedore_v1_ControllerMessage__Output>
      /**
       * The controller's side.
       */
      Coordinator: SubtypeConstructor<typeof grpc.Client, _stevedore_v1_CoordinatorClient> & { service: _stevedore_v1_CoordinatorDefinition }
      Drain: MessageTypeDefinition<_stevedore_v1_Drain, _stevedore_v1_Drain__Output>
      FailedMove: MessageTypeDefinition<_stevedore_v1_FailedMove, _stevedore_v1_FailedMove__Output>
      GrantSerial: MessageTypeDefinition<_stevedore_v1_GrantSerial, _stevedore_v1_GrantSerial__Output>
      Heartbeat: MessageTypeDefinition<_stevedore_v1_Heartbeat, _stevedore_v1_Heartbeat__Output>
      Hello: MessageTypeDefinition<_stevedore_v1_Hello, _stevedore_v1_Hello__Output>
      MoveProgress: MessageTypeDefinition<_stevedore_v1_MoveProgress, _stevedore_v1_MoveProgress__Output>
      NodeOverview: MessageTypeDefinition<_stevedore_v1_NodeOverview, _stevedore_v1_NodeOverview__Output>
      OverviewRequest: MessageTypeDefinition<_stevedore_v1_OverviewRequest, _stevedore_v1_OverviewRequest__Output>
      PreCopies: MessageTypeDefinition<_stevedore_v1_PreCopies, _stevedore_v1_PreCopies__Output>
      PreCopy: MessageTypeDefinition<_stevedore_v1_PreCopy, _stevedore_v1_PreCopy__Output>
      RateOverview: MessageTypeDefinition<_stevedore_v1_RateOverview, _stevedore_v1_RateOverview__Output>
      Revocation: MessageTypeDefinition<_stevedore_v1_Revocation, _stevedore_v1_Revocation__Output>
      RunningMove: MessageTypeDefinition<_stevedore_v1_RunningMove, _stevedore_v1_RunningMove__Output>
      Share: MessageTypeDefinition<_stevedore_v1_Share, _stevedore_v1_Share__Output>
      SharesInForce: MessageTypeDefinition<_stevedore_v1_SharesInForce, _stevedore_v1_SharesInForce__Output>
      SlotAnswer: MessageTypeDefinition<_stevedore_v1_SlotAnswer, _stevedore_v1_SlotAnswer__Output>
      SlotGrant: MessageTypeDefinition<_stevedore_v1_SlotGrant, _stevedore_v1_SlotGrant__Output>
      SlotHold: MessageTypeDefinition<_stevedore_v1_SlotHold, _stevedore_v1_SlotHold__Output>
      SlotReport: MessageTypeDefinition<_stevedore_v1_SlotReport, _stevedore_v1_SlotReport__Output>
      SlotRequest: MessageTypeDefinition<_stevedore_v1_SlotRequest, _stevedore_v1_SlotRequest__Output>
      SlotVolume: MessageTypeDefinition<_stevedore_v1_SlotVolume, _stevedore_v1_SlotVolume__Output>
      SlotWait: MessageTypeDefinition<_stevedore_v1_SlotWait, _stevedore_v1_SlotWait__Output>
      WaitingMove: MessageTypeDefinition<_stevedore_v1_WaitingMove, _stevedore_v1_WaitingMove__Output>
      Welcome: MessageTypeDefinition<_stevedore_v1_Welcome, _stevedore_v1_Welcome__Output>
    }
  }
}

