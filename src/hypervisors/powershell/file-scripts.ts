import type { Script } from './script.ts'

/** Small files on a Windows server. One is written beside its place first, so that there is never half of it. */
export const fileScripts = {
  writeFile: {
    does: 'write a file',
    text: `[IO.File]::WriteAllBytes($p.partial,[Convert]::FromBase64String($p.body))
Move-Item -LiteralPath $p.partial -Destination $p.path -Force`,
  },
  deleteFile: {
    does: 'delete a file',
    text: 'if(Test-Path -LiteralPath $p.path){Remove-Item -LiteralPath $p.path -Force}',
  },
} satisfies Record<string, Script>
