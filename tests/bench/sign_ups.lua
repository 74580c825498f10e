-- Distinct sign-ups for wrk: number n is always the same person at the same event (see sign_ups.py), so nearly all succeed.
-- Arguments after `--`: the plan (a Lua table), `spread` or `one`, the first number, the file that records what was answered.
local plan, one, number, record

function init(arguments)
  plan = dofile(arguments[1])
  one = arguments[2] == "one"
  number = tonumber(arguments[3])
  record = io.open(arguments[4], "a")
  record:setvbuf("no") -- wrk ends without closing its files
end

local function meant(n)
  if one then
    local crowd = plan.tokens[1]
    return 1, plan.busy[math.floor(n / #crowd) % #plan.busy + 1], crowd[n % #crowd + 1]
  end
  local hub, m = n % #plan.hubs, math.floor(n / #plan.hubs)
  local events = plan.events[hub + 1]
  local event = (m + math.floor(m / plan.people)) % #events
  return hub + 1, events[event + 1], plan.tokens[hub + 1][m % plan.people + 1]
end

function request()
  local n = number
  number = number + 1
  local hub, event, token = meant(n)
  return wrk.format("POST", "/v1/hubs/" .. plan.hubs[hub] .. "/events/" .. event .. "/sign-ups", {
    ["Host"] = "foci",
    ["Authorization"] = "Bearer " .. token,
    ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = string.format("%s-%030d", one and "one" or "all", n),
  }, "{}")
end

-- The sign-up's id is the first member of the answer.
function response(status, headers, body)
  record:write(status, " ", status == 201 and body:sub(8, 43) or "-", "\n")
end

function done(summary, latency, requests)
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.6f,"refused":%d,"broken":%d,"p50_ms":%.3f,"p99_ms":%.3f}\n',
    summary.requests, summary.duration / 1e6, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
