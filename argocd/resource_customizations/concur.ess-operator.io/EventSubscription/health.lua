-- Conditions follow kstatus: Reconciling, Stalled, Drifted and AtRisk are there only while they are True.
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

if obj.spec.suspend == true then
  local message = said(ready)
  if ready.status == "True" then
    message = "spec.suspend is true. " .. message
  end
  for _, drift in ipairs(obj.status.drift or {}) do
    message = message .. ". " .. drift.field .. " is " .. (drift.observed or "nothing") ..
      " at ESS, and would become " .. (drift.desired or "nothing")
  end
  return {status = "Suspended", message = message}
end

if conditions["Stalled"] ~= nil then
  return {status = "Degraded", message = said(conditions["Stalled"])}
end

if ready.status ~= "True" then
  -- The operator tries again by itself, or waits for another object, whose change wakes it.
  return {status = "Progressing", message = said(ready)}
end

local companies = conditions["CompaniesConnected"]
local risk = conditions["AtRisk"]
local status = "Healthy"
local message = said(ready)

-- A new subscription has no company yet: somebody connects one in the App Center, after the
-- deployment. One that was lost had companies, which get nothing until somebody acts.
if companies ~= nil and companies.status == "False" then
  message = message .. ". " .. said(companies)
  if companies.reason == "Lost" or companies.reason == "Expired" then
    status = "Degraded"
  end
end

-- Unused is what NoCompanies leads to. With DeliveriesRefused, events that companies sent are being lost.
if risk ~= nil then
  message = message .. ". " .. said(risk)
  if risk.reason ~= "Unused" then
    status = "Degraded"
  end
end

return {status = status, message = message}
