package limit_test

import (
	"testing"

	"github.com/tokenwright/tokenwright/authserver/limit"
	"github.com/tokenwright/tokenwright/authserver/storetest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	storetest.Limiters(t, func(*testing.T) []limit.Limiter { return []limit.Limiter{limit.NewMemory(1000)} })
}
