-- SPDX-License-Identifier: Apache-2.0
-- One line of JSON after wrk's own report; durations in microseconds.
done = function(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '\nJSON {"requests":%d,"duration":%d,"bytes":%d,"p50":%d,"p99":%d,"max":%d,' ..
        '"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}\n',
        summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99), latency.max,
        errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
