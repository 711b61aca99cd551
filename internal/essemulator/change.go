package essemulator

// changed wakes everyone who waits for a change; e.mu is held.
func (e *Emulator) changed() {
	close(e.change)
	e.change = make(chan struct{})
}
