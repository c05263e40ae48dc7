-- HAProxy loads this: tells the version of its configuration (variable txn.config_version) while the files are as they were applied and keepalived runs,
-- else `drifted: FILE`, or `drifted: keepalived`. Reads a few small files a request; changes nothing. Answers probes every few seconds, never clients.
local FILES = {
  { applied = "/var/lib/fiware-ha/applied/haproxy.cfg", read = "/etc/haproxy/haproxy.cfg" },
  { applied = "/var/lib/fiware-ha/applied/keepalived.conf", read = "/etc/keepalived/keepalived.conf" },
}

local function text_of(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

-- Nobody would hear of a balancer's death once its peer's keepalived is gone: HAProxy serves on without it, and no check asks for it.
-- A process that was stopped (T) or waits to be buried (Z) does nothing either.
local function keepalived_runs()
  local pid = (text_of("/run/keepalived.pid") or text_of("/run/keepalived/keepalived.pid") or ""):match("%d+")
  local stat = pid and text_of("/proc/" .. pid .. "/stat")
  local name, state = (stat or ""):match("^%d+ %((.*)%) (%a)")
  return name == "keepalived" and state ~= "T" and state ~= "t" and state ~= "Z"
end

-- Where no copy can be read there is nothing to compare with: that is no drift.
local function edited_file()
  for _, file in ipairs(FILES) do
    local applied = text_of(file.applied)
    if applied and applied ~= text_of(file.read) then return file.read end
  end
end

core.register_service("config_version", "http", function(applet)
  local drifted = edited_file() or not keepalived_runs() and "keepalived"
  local body = drifted and ("drifted: " .. drifted) or applet:get_var("txn.config_version")
  applet:set_status(200)
  applet:add_header("content-type", "text/plain")
  applet:add_header("content-length", tostring(#body))
  applet:start_response()
  applet:send(body)
end)
