import { type Feed, type FeedProblem, type FeedState, openFeed } from './feed.js'
import { feedUrl, openSocket, trackerUrl } from './socket.js'
import { NO_STATE, withFrame } from './state.js'
import { statusOf } from './status.js'
import { makeView } from './view.js'

/** How often the age of the numbers is written anew, in ms; frames are shown as they come. */
const TICK_MS = 500

function start(): void {
  let state = NO_STATE
  let feedState: FeedState = { type: 'connecting' }
  let problem: FeedProblem | null = null
  let updatedAt: number | null = null
  let drawn: typeof state | null = null
  let feed: Feed | null = null
  const view = makeView({ retry: () => feed?.retry(), trackerUrl: trackerUrl(document.baseURI) })

  const render = (): void => {
    const status = statusOf(feedState, updatedAt, problem, Date.now())
    view.showTitle(state, status)
    // Nobody sees a hidden page; it catches up when it is shown.
    if (document.hidden) return
    view.showStatus(status)
    if (drawn === state) return
    drawn = state
    view.showState(state)
  }

  feed = openFeed(
    {
      open: (listener) => openSocket(feedUrl(document.baseURI), listener),
      // Wall time: the age of the numbers counts a laptop's sleep too.
      now: () => Date.now(),
      after: (delayMs, action) => {
        const timer = setTimeout(action, delayMs)
        return () => clearTimeout(timer)
      },
      random: () => Math.random(),
    },
    {
      frame: (frame) => {
        state = withFrame(state, frame)
        // History alone says nothing of now.
        if (frame.type === 'stats') {
          updatedAt = Date.now()
          problem = null
        }
        render()
      },
      state: (next) => {
        feedState = next
        if (next.type === 'waiting') problem = next.problem
        render()
      },
    },
  )

  setInterval(render, TICK_MS)
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) feed?.retry()
    render()
  })
  window.addEventListener('online', () => feed?.retry())
}

start()
