// Runs before the first paint, so that a chosen theme never flashes. A file of its own: the content policy forbids inline scripts.
try {
  var theme = localStorage.getItem('steplog.theme')
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme
} catch (_) {
  // Storage can be blocked; the system's theme is used then.
}
