import { Message } from '~/ui/message'

export function ArtifactsPage() {
  return <Message title="artifacts" />
}
