local suspended = obj.spec.suspend == true
local deleting = obj.metadata.deletionTimestamp ~= nil

-- A suspended subscription is still compared with what ESS holds, and a deletion that waits is tried again.
return {
  ["reconcile"] = {["disabled"] = false, ["displayName"] = "Reconcile now", ["iconClass"] = "fa fa-fw fa-sync"},
  ["suspend"] = {["disabled"] = suspended or deleting, ["displayName"] = "Suspend", ["iconClass"] = "fa fa-fw fa-pause"},
  ["resume"] = {["disabled"] = not suspended or deleting, ["displayName"] = "Resume", ["iconClass"] = "fa fa-fw fa-play"},
}
