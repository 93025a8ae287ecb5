// The annotations by which Velero knows what to back up of a pod, and beside each of them what this
// controller has written there. An annotation that is not what the record says is a person's, as is
// one without a record; both stay what they are (docs/adr/0020-annotator.md).

export interface AnnotationPair {
  readonly velero: string;
  readonly record: string;
}

/** velero pkg/apis/velero/v1/labels_annotations.go; the values are lists with commas. */
export const ANNOTATIONS = Object.freeze({
  include: {
    velero: 'backup.velero.io/backup-volumes',
    record: 'stevedore.io/annotated-backup-volumes',
  },
  exclude: {
    velero: 'backup.velero.io/backup-volumes-excludes',
    record: 'stevedore.io/annotated-backup-volumes-excludes',
  },
} satisfies Record<string, AnnotationPair>);

export const ANNOTATION_PAIRS: readonly AnnotationPair[] = Object.values(ANNOTATIONS);
export const ANNOTATION_KEYS: readonly string[] = ANNOTATION_PAIRS.flatMap(pair => [
  pair.velero,
  pair.record,
]);
