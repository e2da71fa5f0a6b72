-- What wrk measured, as the one line of JSON that the harness reads.
function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '\n{"messages": %d, "seconds": %.6f, "p50_us": %d, "p90_us": %d, "p99_us": %d, "failed": %d}',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50), latency:percentile(90), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
