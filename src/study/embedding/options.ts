/** What `runStudy` and `planStudy` take, with their defaults. */
import { packageVersion } from '../../base/node/version.ts';
import type { Platform } from '../../base/platform.ts';
import { type Progress, silent } from '../../base/progress.ts';
import type { EmbeddingResults } from './results.ts';

export interface StudyOptions {
  platform: Platform;
  home: string;
  /** The study's YAML file. */
  file: string;
  /** Its text. Default: read from `file`. */
  text?: string;
  threads?: number;
  device?: 'cpu' | 'webgpu' | 'cuda' | 'auto';
  offline?: boolean;
  /** Folder of the report. Default `runs/<study>`. */
  out?: string;
  /** As the user typed it: printed in the report. */
  command?: string;
  progress?: Progress;
  signal?: AbortSignal | undefined;
  /** Called when all that is not trained is evaluated, then as cells finish, at most every `updateSeconds`. */
  onUpdate?: (results: EmbeddingResults, folder: string) => Promise<void>;
  /** Default 20. */
  updateSeconds?: number;
  /** Kept in every manifest. Default: this package's own. */
  packageVersion?: string;
}

export type StudySettings = Required<
  Pick<StudyOptions, 'threads' | 'device' | 'offline' | 'command' | 'progress' | 'packageVersion' | 'updateSeconds'>
> &
  StudyOptions & {
    /** Nothing is trained, evaluated or fetched. */
    plan: boolean;
  };

export function studySettings(options: StudyOptions, plan: boolean): StudySettings {
  return {
    ...options,
    threads: options.threads ?? options.platform.processors,
    device: options.device ?? 'auto',
    offline: options.offline ?? false,
    command: options.command ?? '',
    progress: options.progress ?? silent,
    packageVersion: options.packageVersion ?? packageVersion(),
    updateSeconds: options.updateSeconds ?? 20,
    plan,
  };
}
