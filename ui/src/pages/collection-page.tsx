import { Message } from '~/ui/message'

export function CollectionPage() {
  return <Message title="collection" />
}
