/** The mark: a step response, and the full stop that ends a log line. */
export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" role="img" aria-label="steplog">
      <rect width="32" height="32" rx="8" fill="#5b5bd6" />
      <path
        d="M7 23.500H12V16.500H18V9.500H25"
        fill="none"
        stroke="#fff"
        strokeWidth="3"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
      <circle cx="24" cy="22.500" r="2.200" fill="#b9b9ff" />
    </svg>
  )
}
