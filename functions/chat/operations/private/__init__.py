"""Operations of private rooms and direct conversations."""
