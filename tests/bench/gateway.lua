-- Distinct bookings for wrk: number n is always the same place, time and person (see plan.py), so nearly all succeed.
-- Arguments after `--`: the plan (a Lua table), the first number, the file that records what was answered.
local plan, number, record

function init(arguments)
  plan = dofile(arguments[1])
  number = tonumber(arguments[2])
  record = io.open(arguments[3], "a")
  record:setvbuf("no") -- wrk ends without closing its files
end

local function at(seconds)
  return os.date("!%Y-%m-%dT%H:%M:%S+00:00", seconds)
end

function request()
  local n = number
  number = number + 1
  local all = #plan.hubs * plan.places
  local place_of_all, round = n % all, math.floor(n / all)
  local hub, place = place_of_all % #plan.hubs, math.floor(place_of_all / #plan.hubs)
  local slot = (round * plan.stride) % plan.slots
  local start = plan.first + math.floor(slot / plan.slots_a_day) * 86400 + (slot % plan.slots_a_day) * plan.seconds
  local tokens = plan.tokens[hub + 1]
  return wrk.format("POST", "/v1/hubs/" .. plan.hubs[hub + 1] .. "/bookings", {
    ["Host"] = "foci",
    ["Authorization"] = "Bearer " .. tokens[n % #tokens + 1],
    ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = string.format("bench-%030d", n),
  }, string.format('{"space":"place-%d","start":"%s","end":"%s","title":"%s"}',
    place, at(start), at(start + plan.seconds), plan.title))
end

-- The booking's id is the first member of the answer.
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
