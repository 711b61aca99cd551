local suspended = obj.spec.suspend == true
local deleting = obj.metadata.deletionTimestamp ~= nil

-- A suspended connection makes no calls, so that there is nothing to reconcile it with.
return {
  ["reconcile"] = {["disabled"] = suspended or deleting, ["displayName"] = "Reconcile now", ["iconClass"] = "fa fa-fw fa-sync"},
  ["suspend"] = {["disabled"] = suspended or deleting, ["displayName"] = "Suspend", ["iconClass"] = "fa fa-fw fa-pause"},
  ["resume"] = {["disabled"] = not suspended or deleting, ["displayName"] = "Resume", ["iconClass"] = "fa fa-fw fa-play"},
}
