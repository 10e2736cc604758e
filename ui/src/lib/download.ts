/** Hands the browser a file made here. */
export function downloadBlob(blob: Blob, fileName: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = fileName
  link.click()
  // The browser reads the blob after the click returned.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

export function fileNameOf(text: string): string {
  return text.replace(/[^\w.-]+/g, '_')
}
