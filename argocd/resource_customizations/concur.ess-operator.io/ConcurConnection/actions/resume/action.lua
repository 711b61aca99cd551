-- Removed, and not set to false: what git leaves out is then as git has it.
obj.spec.suspend = nil

return obj
