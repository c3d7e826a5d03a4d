import { chatScenarios } from '../../contracts/chat-scenarios.ts'
import { openMattermostStage } from './stage.ts'

chatScenarios('Mattermost with message attachments', () => openMattermostStage('11.9.0'))
chatScenarios('Mattermost with blocks', () => openMattermostStage('11.10.1'))
