-- A script for wrk: request the paths listed in the file PATHS in turn, with the Host header HOST unless it is empty,
-- and print the result as a line of JSON.

local requests = {}
local index = 0

function init()
    local host = os.getenv("HOST")
    if host ~= "" then
        wrk.headers["Host"] = host
    end
    for path in io.lines(os.getenv("PATHS")) do
        requests[#requests + 1] = wrk.format("GET", path)
    end
end

function request()
    index = index % #requests + 1
    return requests[index]
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '\nRESULT {"requests":%d,"seconds":%.6f,"p50_ms":%.4f,"p99_ms":%.4f,"bad_status":%d,"failed":%d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        errors.status, errors.connect + errors.read + errors.write + errors.timeout
    ))
end
