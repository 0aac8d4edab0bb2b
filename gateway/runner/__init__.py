"""Who wakes which job; the lease in the store decides who may run it."""
