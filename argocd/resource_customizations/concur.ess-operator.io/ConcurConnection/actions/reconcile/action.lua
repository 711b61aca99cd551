local os = require("os")

if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end

local key = "concur.ess-operator.io/reconcile-requested-at"
local now = os.date("!%Y-%m-%dT%H:%M:%SZ")
if obj.metadata.annotations[key] == now then
  -- A value that has been handled is no request, and this clock knows seconds only.
  now = os.date("!%Y-%m-%dT%H:%M:%S.5Z")
end
obj.metadata.annotations[key] = now

return obj
