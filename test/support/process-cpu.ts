// What processors have done for a process so far (proc_pid_stat(5)).

import { readFileSync } from 'node:fs';

/** USER_HZ is 100 on all that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Of all its threads, user and system. @throws where there is no such process */
export function cpuSecondsOf(pid: number | string): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Behind the name, which may hold blanks and parentheses: state is field 3, utime 14, stime 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
