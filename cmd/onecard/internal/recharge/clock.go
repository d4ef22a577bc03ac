package recharge

import (
	"sync/atomic"
	"time"

	"pbochsm/mac"
)

// backwards is how far the clock may go back before it is not trusted.
const backwards = 5 * time.Second

// A watch notes the latest time that was seen.
type watch struct{ latest atomic.Int64 }

// now is the time, or ClockNotTrusted where the clock went back: a date from
// it would enter MAC2 and could not be taken back.
func (s *Service) now() (time.Time, error) {
	now := s.Clock()
	ms := now.UnixMilli()
	for {
		latest := s.watch.latest.Load()
		switch {
		case ms < latest-backwards.Milliseconds():
			return now, refuse(ClockNotTrusted)
		case ms <= latest || s.watch.latest.CompareAndSwap(latest, ms):
			return now, nil
		}
	}
}

// hostTime is t as a write carries it.
func (s *Settings) hostTime(t time.Time) HostTime {
	t = t.In(s.Zone)
	return HostTime{
		Date: mac.BCDDate{bcd(t.Year() / 100), bcd(t.Year() % 100), bcd(int(t.Month())), bcd(t.Day())},
		Time: mac.BCDTime{bcd(t.Hour()), bcd(t.Minute()), bcd(t.Second())},
	}
}

// inWindow tells whether date and time are near now.
func (s *Settings) inWindow(date mac.BCDDate, clock mac.BCDTime, now time.Time) bool {
	t := time.Date(decimal(date[0])*100+decimal(date[1]), time.Month(decimal(date[2])), decimal(date[3]),
		decimal(clock[0]), decimal(clock[1]), decimal(clock[2]), 0, s.Zone)
	return t.Sub(now).Abs() <= s.Window
}

// day and hour name the periods of budgets.
func (s *Settings) day(now time.Time) string { return now.In(s.Zone).Format("2006-01-02") }

func bcd(n int) byte     { return byte(n/10<<4 | n%10) }
func decimal(b byte) int { return int(b>>4)*10 + int(b&0x0F) }
