// Which rule is for a volume: the first that all of its conditions fit. Pure.

import type { VolumeType } from './watched-objects.ts';

export interface AnnotatorRule {
  /** For logs and messages. */
  readonly name: string;
  /** `ignore`: neither of the two, whatever later rules say. */
  readonly action: RuleAction;
  /** Of these conditions those that are there must all be fulfilled; a list by one of its texts. */
  readonly namespaces?: readonly string[];
  readonly podLabels?: Readonly<Record<string, readonly string[]>>;
  readonly volumeTypes?: readonly VolumeType[];
  readonly volumeNames?: readonly string[];
  readonly storageClasses?: readonly string[];
  readonly sizeBytesMin?: number;
  readonly sizeBytesMax?: number;
}

export const RULE_ACTIONS = Object.freeze(['include', 'exclude', 'ignore'] as const);
export type RuleAction = (typeof RULE_ACTIONS)[number];

export interface RuledVolume {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly type: VolumeType;
  readonly name: string;
  /** Undefined where there is no claim, or one without. */
  readonly storageClass: string | undefined;
  readonly sizeBytes: number | undefined;
}

export function ruleFor(
  volume: RuledVolume,
  rules: readonly AnnotatorRule[],
): AnnotatorRule | undefined {
  return rules.find(rule => isFor(rule, volume));
}

function isFor(rule: AnnotatorRule, volume: RuledVolume): boolean {
  const { namespaces, volumeTypes, volumeNames, storageClasses, podLabels = {} } = rule;
  return (
    fitsOne(namespaces, volume.namespace) &&
    fitsOne(volumeTypes, volume.type) &&
    fitsOne(volumeNames, volume.name) &&
    fitsOne(storageClasses, volume.storageClass) &&
    isWithin(rule, volume.sizeBytes) &&
    Object.entries(podLabels).every(([label, patterns]) =>
      fitsOne(patterns, Object.hasOwn(volume.labels, label) ? volume.labels[label] : undefined),
    )
  );
}

/** What is not known fits no condition. */
function fitsOne(patterns: readonly string[] | undefined, text: string | undefined): boolean {
  if (patterns === undefined) return true;
  return text !== undefined && patterns.some(pattern => fits(pattern, text));
}

function isWithin(
  { sizeBytesMin, sizeBytesMax }: AnnotatorRule,
  sizeBytes: number | undefined,
): boolean {
  if (sizeBytesMin === undefined && sizeBytesMax === undefined) return true;
  if (sizeBytes === undefined) return false;
  return sizeBytes >= (sizeBytesMin ?? 0) && sizeBytes <= (sizeBytesMax ?? Infinity);
}

/** `*` stands for any characters, none included. In time that grows with the text alone. */
export function fits(pattern: string, text: string): boolean {
  const [head = '', ...parts] = pattern.split('*');
  const tail = parts.pop();
  if (tail === undefined) return pattern === text;
  if (!text.startsWith(head)) return false;
  let at = head.length;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - tail.length >= at && text.endsWith(tail);
}
