/* global document, location, XMLHttpRequest */
// Sends a file of a disk as it is, and says how far it has come.

const chosen = document.getElementById('upload-file')
const button = document.getElementById('upload-send')
const bar = document.getElementById('upload-progress')
const state = document.getElementById('upload-state')

function say(words) {
  state.textContent = words
}

function over(words) {
  button.disabled = false
  bar.hidden = true
  say(words)
}

function detailOf(request) {
  try {
    return JSON.parse(request.responseText).detail
  } catch {
    return 'It did not arrive. Try again.'
  }
}

chosen.addEventListener('change', () => {
  button.disabled = chosen.files.length === 0
})
button.addEventListener('click', () => {
  const [file] = chosen.files
  const request = new XMLHttpRequest()
  request.open('PUT', `/api/v1/files/${encodeURIComponent(file.name)}`)
  request.setRequestHeader('Content-Type', 'application/octet-stream')
  request.upload.addEventListener('progress', ({ loaded, total }) => {
    bar.value = total === 0 ? 0 : loaded / total
    say(`${Math.floor((100 * loaded) / Math.max(1, total))} % sent. Leave this page open.`)
  })
  request.addEventListener('load', () => {
    if (request.status === 201) location.assign('/library?done=upload')
    else over(detailOf(request))
  })
  request.addEventListener('error', () => over('The connection was lost. Send it again.'))
  button.disabled = true
  bar.hidden = false
  request.send(file)
})
