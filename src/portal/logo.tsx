/** A jackdaw in profile: black cap, grey nape, the pale eye. Drawn for this project; `assets/jackdaw.svg` is the same. */
export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 64 64" width="36" height="36" aria-hidden="true" focusable="false">
      <circle cx="32" cy="32" r="31" class="logo-sky" />
      <path class="logo-nape" d="M30 13c13-2 22 7 23 20 1 10 3 17 5 20-6 8-16 11-26 10-2-9-1-17 1-24z" />
      <path
        class="logo-cap"
        d="M7 27c4-3 8-4 11-4 2-6 7-10 14-10 8 0 14 4 15 10-6 3-8 8-8 14-1 9-4 18-5 26-7-1-13-4-18-8 1-9 2-14 3-20-4-1-8-3-12-8z"
      />
      <circle cx="27" cy="23" r="4" class="logo-eye" />
      <circle cx="27" cy="23" r="1.7" class="logo-cap" />
    </svg>
  )
}
