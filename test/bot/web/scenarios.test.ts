import { chatScenarios } from '../../contracts/chat-scenarios.ts'
import { openWebStage } from './stage.ts'

chatScenarios('the built-in chat', openWebStage)
