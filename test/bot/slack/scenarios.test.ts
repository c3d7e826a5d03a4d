import { chatScenarios } from '../../contracts/chat-scenarios.ts'
import { openSlackStage } from './stage.ts'

chatScenarios('Slack over HTTP', () => openSlackStage('http'))
