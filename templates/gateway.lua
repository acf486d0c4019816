-- What HAProxy's own rules cannot say: an answer that comes in pieces ends with its time, too.
-- `timeout server` counts the silence between two pieces; the cloud counts all of it.
local TotalTime = {}
TotalTime.id = "localep: total time"
TotalTime.flags = filter.FLT_CFG_FL_HTX
TotalTime.__index = TotalTime

function TotalTime:new()
    return setmetatable({}, self)
end

function TotalTime:http_headers(txn, message)
    if message:is_resp() then
        self.deadline = txn:get_var("txn.deadline")
        if self.deadline then
            filter.register_data_filter(self, message.channel)
        end
    end
end

function TotalTime:http_payload()
    local now = core.now()
    if now.sec * 1000 + now.usec / 1000 > self.deadline then
        -- HAProxy 2.6 takes no other sign from here; it breaks the answer off.
        error("An answer took longer than request_timeout_ms and was broken off.", 0)
    end
end

-- A container that comes back after it was away is ready only once a probe says so; HAProxy takes
-- a server for ready as soon as its name has an address again. Not so one that was never at work:
-- localep itself has waited until it was ready.
core.register_task(function()
    local was_at_work, is_away = {}, {}
    while true do
        local backend = core.backends["deployment"]
        for name, server in pairs(backend and backend.servers or {}) do
            local status = server:get_stats().status
            if status == "MAINT (resolution)" then
                is_away[name] = was_at_work[name]
            elseif status:find("^UP") or status:find("^DOWN") then
                if is_away[name] then
                    server:check_force_down()
                end
                was_at_work[name], is_away[name] = true, nil
            else
                was_at_work[name], is_away[name] = nil, nil
            end
        end
        core.msleep(50)
    end
end)

core.register_filter("total-time", TotalTime, function(class)
    return class
end)

-- A request without a length is known to be too large only when so much of it has come.
local PayloadLimit = {}
PayloadLimit.id = "localep: payload limit"
PayloadLimit.flags = filter.FLT_CFG_FL_HTX
PayloadLimit.__index = PayloadLimit

function PayloadLimit:new()
    return setmetatable({}, self)
end

function PayloadLimit:http_headers(txn, message)
    if not message:is_resp() and not txn:get_var("txn.is_direct") then
        self.left = self.bytes
        filter.register_data_filter(self, message.channel)
    end
end

function PayloadLimit:http_payload(txn, message)
    self.left = self.left - #(message:body() or "")
    if self.left < 0 then
        txn:set_var("txn.too_large", true)
        txn:set_var("txn.refusal", "The request is larger than " .. self.bytes .. " bytes.")
        -- HAProxy 2.6 takes no other sign from here; it answers 400, which a rule makes 413.
        error("A request was larger than the payload limit and was broken off.", 0)
    end
end

core.register_filter("payload-limit", PayloadLimit, function(class, arguments)
    -- A copy of PayloadLimit, one a line of the configuration.
    class.bytes = tonumber(arguments[1])
    class.__index = class
    return class
end)
