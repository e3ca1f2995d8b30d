import { webcrypto } from 'node:crypto'

// Node 18, which Debian 12 has, does not show these by itself.
globalThis.crypto ??= webcrypto
globalThis.CryptoKey ??= webcrypto.CryptoKey

// What all scripts share: the settings of the test that runs them, one verdict line
// for each step, and the person who logs in.
export const { ISSUER, PERSON, AUDIENCE, WEB_SECRET } = process.env

export const clients = [
  { id: 'web', secret: WEB_SECRET, callback: 'https://web.test/cb', bye: 'https://web.test/bye' },
  { id: 'spa', callback: 'https://spa.test/cb', bye: 'https://spa.test/bye' },
  { id: 'es256', callback: 'https://spa.test/cb', bye: 'https://spa.test/bye' },
]

// step says how do went, and ends the script if it went wrong.
export async function step(client, name, work) {
  try {
    const got = await work()
    console.log(`ok ${client} ${name}`)
    return got
  } catch (err) {
    console.log(`failed ${client} ${name}: ${err.stack} ${JSON.stringify(err.cause ?? err.data ?? '')}`)
    process.exit(1)
  }
}

// browse is where the person's browser gets to from an address, by the login page
// and what else is asked.
export async function browse(address) {
  const res = await fetch(`${PERSON}?${new URLSearchParams({ to: address })}`)
  if (!res.ok) throw new Error(await res.text())
  return new URL(await res.text())
}

export function must(good, what) {
  if (!good) throw new Error(what)
}

// refused is for work that has to fail.
export async function refused(work, code) {
  try {
    await work()
  } catch (err) {
    must(err.error === code, `refused with ${err.error}: ${err}`)
    return
  }
  throw new Error('it is not refused')
}
