"""The only code that acts: carries a plan out, one journalled step at a time."""
