-- Conditions follow kstatus: Reconciling and Stalled are there only while they are True.
local conditions = {}
if obj.status ~= nil and obj.status.conditions ~= nil then
  for _, condition in ipairs(obj.status.conditions) do
    conditions[condition.type] = condition
  end
end

local function said(condition)
  if condition == nil then
    return "Waiting for the operator; if this stays, see whether it runs and watches this namespace"
  end
  if condition.message == nil or condition.message == "" then
    return condition.reason
  end
  return condition.reason .. ": " .. condition.message
end

local ready = conditions["Ready"]

if obj.metadata.deletionTimestamp ~= nil then
  -- Ready says what the deletion waits for, once it is not about the life before any more.
  if ready ~= nil and ready.status ~= "True" and ready.observedGeneration == obj.metadata.generation then
    return {status = "Progressing", message = "Being deleted. " .. said(ready)}
  end
  return {status = "Progressing", message = "Being deleted"}
end

if ready == nil then
  return {status = "Progressing", message = said(nil)}
end

if obj.status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "The operator has not seen the latest change yet"}
end

if conditions["Stalled"] ~= nil then
  return {status = "Degraded", message = said(conditions["Stalled"])}
end

if ready.status == "True" then
  return {status = "Healthy", message = said(ready)}
end

-- The operator tries again by itself, or waits for another object, whose change wakes it.
return {status = "Progressing", message = said(ready)}
