local recovers = obj.spec.recovery ~= nil
local deleting = obj.metadata.deletionTimestamp ~= nil

-- What a reconcile does at once is to fetch failed notifications; the rest happens by itself.
return {
  ["reconcile"] = {["disabled"] = deleting or not recovers, ["displayName"] = "Reconcile now", ["iconClass"] = "fa fa-fw fa-sync"},
}
