"""From arrays to a belief or a confidence: heads on hidden states and on texts. No model is seen here."""
