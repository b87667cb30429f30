-- What bench/hits.py gives to wrk: addresses in turn, and the figures as JSON at the end.
local addresses, turn = {}, 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    local address, etag = line:match("^(%S+)%s*(.*)$")
    addresses[#addresses + 1] = {address, etag}
  end
end

function request()
  turn = turn % #addresses + 1
  local address, etag = addresses[turn][1], addresses[turn][2]
  wrk.headers["If-None-Match"] = etag ~= "" and etag or nil
  return wrk.format("GET", address)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "errors": %d, "seconds": %.3f, "p50": %.3f, "p95": %.3f, "p99": %.3f}\n',
    summary.requests, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(95) / 1e3,
    latency:percentile(99) / 1e3))
end
