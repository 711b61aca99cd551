local deleting = obj.metadata.deletionTimestamp ~= nil

-- It fetches failed notifications at once, and looks again for a sink that was missing.
return {
  ["reconcile"] = {["disabled"] = deleting, ["displayName"] = "Reconcile now", ["iconClass"] = "fa fa-fw fa-sync"},
}
