import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { AllowsAnyone } from '../access/allows.ts';
import { fromStatus } from './problem.ts';

/** Where the `type` of each problem document leads. */
@ApiExcludeController()
@Controller('docs')
export class DocsController {
  private text: string | undefined;

  @Get('errors')
  @AllowsAnyone()
  @Header('content-type', 'text/plain; charset=utf-8')
  errors(): string {
    this.text ??= readProjectFile('docs/errors.md');
    return this.text;
  }
}

/** @throws HttpError NOT_FOUND when the installation came without its documentation */
function readProjectFile(path: string): string {
  const file = join(projectRoot(), path);
  if (!existsSync(file)) {
    throw fromStatus(404);
  }
  return readFileSync(file, 'utf8');
}

/** Sources and build lie at different depths below the project, so it is found by its package.json. */
function projectRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) {
    folder = dirname(folder);
  }
  return folder;
}
